// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EIP7702Utils} from "@openzeppelin/contracts/account/utils/EIP7702Utils.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
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
    ///
    /// An account that delegated its code (EIP-7702) still has its private key, and signs with that: the code it delegated
    /// to is not asked. Otherwise a careless delegate would sign for the key, and a strict one make its signatures void.
    function _isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (EIP7702Utils.fetchDelegate(signer) != address(0)) {
            // The value left out only explains the error.
            // slither-disable-next-line unused-return
            (address recovered, ECDSA.RecoverError error,) = ECDSA.tryRecoverCalldata(digest, signature);
            return error == ECDSA.RecoverError.NoError && recovered == signer;
        }
        return SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature);
    }
}
