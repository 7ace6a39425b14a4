// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title EIP-712 domain and signatures, of accounts (ECDSA) and wallets (ERC-1271)
/// @dev OpenZeppelin's `EIP712` keeps the domain in immutables, which would give every deployment another runtime code
/// hash; here it is computed from constants when needed (docs/adr/0006-one-code-hash.md).
abstract contract TypedData is IERC5267 {
    /* CONSTANTS */

    string private constant _NAME = "credanchor";
    string private constant _VERSION = "1";

    /// @dev ERC-5267 field set: name, version, chainId, verifyingContract; no salt.
    bytes1 private constant _FIELDS = 0x0f;

    /* EXTERNAL */

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (_FIELDS, _NAME, _VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    /* INTERNAL */

    /// @dev What a signer of the struct signs, on this chain, for this contract.
    function _digestOf(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            MessageHashUtils.toDomainSeparator(
                _FIELDS, keccak256(bytes(_NAME)), keccak256(bytes(_VERSION)), block.chainid, address(this), bytes32(0)
            ),
            structHash
        );
    }

    /// @dev Whether `signature` is the signer's over `digest`, now. Only a static call leaves the contract.
    function _isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        return SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature);
    }
}
