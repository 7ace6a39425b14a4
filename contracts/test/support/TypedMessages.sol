// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";

/// @title EIP-712 digests for a registry and signatures over them, written out once more from the standard
library TypedMessages {
    /// @param content Hash of the struct that is signed.
    function digest(bytes32 content, uint256 chainId, address registry) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("credanchor"),
                keccak256("1"),
                chainId,
                registry
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }

    function sign(bytes32 digest_, uint256 privateKey) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest_);
        return abi.encodePacked(r, s, v);
    }
}
